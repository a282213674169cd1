"""`python -m credit_service run|migrate|topics|config|openapi`."""

from credit_service.service import service
from sagaline.chassis.main import main

main(service)
