"""`python -m order_service run|migrate|topics|config|openapi`."""

from sagaline.chassis.main import main

from order_service.service import service

main(service)
