"""Programs that use Mandat from outside; none of them imports ``idp``."""
