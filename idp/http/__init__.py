"""What every page and endpoint shares: headers, forms, limits, proxies, outgoing calls, the server."""
