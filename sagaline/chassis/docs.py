"""/docs: a service's operations on a page, to read and to try; it needs nothing from outside."""

from typing import Final

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

# Should Swagger UI ever want something from elsewhere, the browser doesn't fetch it.
POLICY: Final = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:"
)


def install(app: FastAPI) -> None:
    """The application has the page. Its links are relative: it works behind any prefix, too."""

    @app.get("/docs", include_in_schema=False)
    async def page() -> HTMLResponse:
        """Swagger UI, for this service's document."""
        shown = get_swagger_ui_html(
            title=app.title,
            openapi_url="openapi.json",
            swagger_js_url="docs/swagger-ui-bundle.js",
            swagger_css_url="docs/swagger-ui.css",
            swagger_favicon_url="docs/favicon.png",
        )
        shown.headers["Content-Security-Policy"] = POLICY
        return shown

    app.mount("/docs", StaticFiles(packages=[("fastapi_offline", "static")]), name="docs")
