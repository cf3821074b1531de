"""What the tests of who may what sign in with, and how a browser asks for a page."""

PASSWORD = "correct horse"
HTML = {"accept": "text/html"}
