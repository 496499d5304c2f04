"""The faces of what was found in recorded activations: terminal and HTML; the certificate is the JSON one."""
