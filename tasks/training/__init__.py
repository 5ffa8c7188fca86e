"""One network trained by one method, on the devices that there are."""
