"""A folder for each job (a run, a study, a leaderboard): the only channel between the process that works and all that
look."""
