"""Reads the pictures that the figures are saved as."""

import xml.etree.ElementTree


def texts(svg):
    """The texts of an SVG, which must be well-formed XML."""
    elements = xml.etree.ElementTree.parse(svg).iter("{http://www.w3.org/2000/svg}text")
    return ["".join(element.itertext()) for element in elements]
