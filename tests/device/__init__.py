"""The course on a pretended GPU. No part of the ordinary tests: `make device` runs it."""
