"""The desk: operators read enrolment files and decide; officers of agencies decide subscriptions."""
