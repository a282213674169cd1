"""`python -m payment_service run|migrate|topics|config|openapi`."""

from payment_service.service import service
from sagaline.chassis.main import main

main(service)
