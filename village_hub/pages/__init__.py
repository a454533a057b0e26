"""The pages people see: HTML from `templates/`, their static files and their words."""

from village_hub.pages.views import CAMERAS, PUBLIC, Cameras, routes, setup

__all__ = ["CAMERAS", "PUBLIC", "Cameras", "routes", "setup"]
