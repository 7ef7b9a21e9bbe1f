"""Who a person is: credentials, second factors, sign-ins."""
