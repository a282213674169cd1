from sagaline.chassis.main import main
from tests.integration.echo.service import service

main(service)
