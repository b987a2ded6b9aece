"""Tables from bytes to bytes: cut into chunks, read, scored, written as parts, joined to results.

Nothing here knows of jobs that wait or of Redis. Rows are numbered from 0 in each chunk.
"""
