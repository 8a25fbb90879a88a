"""The bare application that pages are measured against: Flask, one route, no database."""

from flask import Flask

app = Flask("hello")


@app.get("/")
def hello() -> str:
    """A page without any work behind it."""
    return "hello"
