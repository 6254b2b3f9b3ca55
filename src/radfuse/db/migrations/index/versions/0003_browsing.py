"""The index: what a list of studies counts and looks for is answered from its indexes alone.

Counting a study of thousands of objects, with their bytes and times of arrival, would otherwise read
every row; so would finding the studies of one modality or of one hour of arrival.
"""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Let the indexes hold what a list of studies shows."""
    op.drop_index("instance_by_series", "instance")
    op.create_index("instance_by_series", "instance", ["series_fk", "arrived_s", "size_bytes"])
    op.create_index("instance_by_arrival", "instance", ["arrived_s", "series_fk", "size_bytes"])
    op.create_index("series_by_modality", "series", ["modality", "study_fk"])
    op.create_index("study_by_description", "study", ["description"])
