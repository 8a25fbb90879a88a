"""The 揭榜挂帅 marketplace. Feature folders stand beside each other; `factory.py` wires them."""

__version__ = "0.1.0"
