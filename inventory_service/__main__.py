"""`python -m inventory_service run|migrate|topics|config|openapi`."""

from sagaline.chassis.main import main

from inventory_service.service import service

main(service)
