"""`python -m gateway_service run|migrate|topics|config|openapi`."""

from gateway_service.service import service
from sagaline.chassis.main import main

main(service)
