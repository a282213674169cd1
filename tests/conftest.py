"""Plugins of the whole suite: servers and platforms start only when a test asks for them."""

pytest_plugins = ["sagaline.testing.plugin", "sagaline.testing.platform"]
