"""The blueprint that the pages of matching share."""

from flask import Blueprint

bp = Blueprint("matching", "marketplace.matching", url_prefix="/workbench/matching")
