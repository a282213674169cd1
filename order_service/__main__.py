"""`python -m order_service run|migrate|topics|config|openapi`."""

from order_service.service import service
from sagaline.chassis.main import main

main(service)
