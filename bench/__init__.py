"""One script per question, each against its peer in the same run; imported by nobody."""
