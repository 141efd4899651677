"""The console: where owners and managers keep the shop."""

from app.web.console.views import bp

__all__ = ["bp"]
