"""`python -m sagaline.cli.reference`: writes the pages into docs/reference of this checkout."""

from sagaline.cli import place
from sagaline.cli.app import app
from sagaline.cli.reference import commands, metrics, settings, topics
from sagaline.local import packages


def pages() -> dict[str, str]:
    """Give the pages by their files' names."""
    config = place.config()
    packages.make_importable(config)
    services = [service.name for service in config.services]
    return {
        "sagactl.md": commands.page(app),
        "settings.md": settings.page(services),
        "metrics.md": metrics.page(services),
        "asyncapi.yaml": topics.page(config),
    }


def main() -> None:
    """Write them."""
    folder = place.config().root / "docs" / "reference"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    main()
