# The same, once the scanner answers.
once_up
look
exit 0
