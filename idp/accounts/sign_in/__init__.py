"""From a user code to a session: the steps of a sign-in and of a step-up."""
