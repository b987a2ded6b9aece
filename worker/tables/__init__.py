"""Scores files: plans how to cut them into chunks, scores each chunk to a part, joins the parts to results.

Nothing here depends on Redis or the queue. Rows are numbered from 0 in each chunk.
"""
