"""The trust boundary: claims and obligations, how they are discharged, and the certificates that are left."""
