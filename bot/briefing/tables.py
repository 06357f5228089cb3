"""The tables of briefing sessions.

A question belongs to one matter: that of the questions which mean the same. 「私も知りたい」 is a question too, in the
words of the board. Askers are stored as keyed hashes; what they wrote is masked before it comes here.
"""

import sqlalchemy as sa

from bot.storage import BIG_ID, tables

briefings = sa.Table(
    "briefings",
    tables,
    sa.Column("id", BIG_ID, primary_key=True, autoincrement=True),
    sa.Column("code", sa.String(8), nullable=False, unique=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("test", sa.Boolean, nullable=False),
    sa.Column("line_id", sa.String(64), nullable=False),
    sa.Column("event", sa.String(64), nullable=True, unique=True),  # what opened it; nothing opens two
    sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("revision", sa.Integer, nullable=False),  # goes up with every change that anybody sees
)

matters = sa.Table(
    "briefing_matters",
    tables,
    sa.Column("id", BIG_ID, primary_key=True, autoincrement=True),
    sa.Column("briefing", sa.BigInteger, nullable=False, index=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("wording", sa.Text, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),  # open, answering, written, aloud, later, desk
    sa.Column("released", sa.Boolean, nullable=False),
    sa.Column("hidden", sa.Boolean, nullable=False),
    sa.Column("pinned", sa.Boolean, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),  # goes up with every act of a host
)

questions = sa.Table(
    "briefing_questions",
    tables,
    sa.Column("id", BIG_ID, primary_key=True, autoincrement=True),
    sa.Column("briefing", sa.BigInteger, nullable=False, index=True),
    sa.Column("matter", sa.BigInteger, nullable=False),
    sa.Column("event", sa.String(64), nullable=False, unique=True),  # what asked it, hashed: nothing asks twice
    sa.Column("turn", sa.String(32), nullable=True, index=True),
    sa.Column("asker", sa.String(64), nullable=False, index=True),
    sa.Column("channel", sa.String(16), nullable=False),
    sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("wanted", sa.Boolean, nullable=False),
    sa.Column("answer", sa.JSON(none_as_null=True), nullable=True),
    sa.Column("meaning", sa.JSON(none_as_null=True), nullable=True),
    sa.Column("reached", sa.String(10), nullable=False),  # why the host sees it: unknown, asked, unhelpful; or ""
    sa.Column("settled", sa.Boolean, nullable=False),
    sa.Column("reply", sa.Text, nullable=False),  # what a host wrote to this asker
    sa.Column("told", sa.Boolean, nullable=False),  # whether LINE has delivered the reply
    sa.Column("case_key", sa.String(64), nullable=True, index=True),  # of the case of the desk that it waits for
)

members = sa.Table(
    "briefing_members",
    tables,
    sa.Column("member", sa.String(64), primary_key=True),
    sa.Column("briefing", sa.BigInteger, nullable=False, index=True),
)

changes = sa.Table(
    "briefing_changes",
    tables,
    sa.Column("id", BIG_ID, primary_key=True, autoincrement=True),
    sa.Column("briefing", sa.BigInteger, nullable=False, index=True),
    sa.Column("act", sa.String(16), nullable=False),
    sa.Column("before", sa.JSON, nullable=False),
    sa.Column("opened", sa.BigInteger, nullable=True),  # the matter that a split opened
)
