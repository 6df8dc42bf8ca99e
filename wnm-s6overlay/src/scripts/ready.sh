# Returns once nodes can be started.
once_up
once_ant_is_the_owner
exit 0
