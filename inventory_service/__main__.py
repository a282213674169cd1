"""`python -m inventory_service run|migrate|topics|config|openapi`."""

from inventory_service.service import service
from sagaline.chassis.main import main

main(service)
