"""What is on the wire: messages, topics, ids, rules, settings.

Values and tables only. Nothing here opens a file or a connection, and
importing it costs milliseconds: a publisher's machine needs nothing else.
"""
