"""`python -m debit_service run|migrate|topics|config|openapi`."""

from debit_service.service import service
from sagaline.chassis.main import main

main(service)
