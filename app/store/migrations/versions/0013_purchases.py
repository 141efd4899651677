"""Items, purchases with their lines, and what of them came back.

New tables, and a column of the ledger that may be null: older code does not mind, and
gives stamps without a purchase beside this schema. An index of the ledger is made:
about a second for a million entries, in which PostgreSQL takes no stamps.

The ledger's column by hand, since Alembic knows no way to add a reference on SQLite.
"""

import sqlalchemy as sa
from alembic import op

from app.store.tables import Moment

revision = "0013"
down_revision = "0012"

_INDEXES = (
    ("purchase", ("card_id",)),
    ("purchase", ("location_id", "at")),
    ("purchase_line", ("item_id",)),
    ("refund", ("at",)),
    ("refund", ("purchase_id",)),
    ("refund_line", ("refund_id",)),
    ("ledger_entry", ("purchase_id",)),
)


def upgrade() -> None:
    op.create_table(
        "item",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("price", sa.Integer(), nullable=False),
        sa.Column(
            "category", sa.String(40), server_default=sa.text("''"), nullable=False
        ),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "is_favourite", sa.Boolean(), server_default=sa.false(), nullable=False
        ),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_at", Moment(timezone=True), nullable=False),
        sa.CheckConstraint("price >= 0", name=op.f("ck_item_price")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_item")),
        sa.UniqueConstraint("name", name=op.f("uq_item_name")),
    )
    op.create_table(
        "purchase",
        sa.Column("purchase_id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("at", Moment(timezone=True), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=True),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("terminal_id", sa.Uuid(), nullable=True),
        sa.Column("request_id", sa.String(100), nullable=False),
        sa.Column("till_number", sa.String(60), nullable=True),
        sa.Column("refunds", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_purchase_amount")),
        _reference("purchase", "card_id", "card"),
        _reference("purchase", "location_id", "location"),
        _reference("purchase", "staff_id", "staff_member"),
        _reference("purchase", "terminal_id", "terminal"),
        sa.PrimaryKeyConstraint("purchase_id", name=op.f("pk_purchase")),
        sa.UniqueConstraint("request_id", name=op.f("uq_purchase_request_id")),
        sa.UniqueConstraint("till_number", name=op.f("uq_purchase_till_number")),
    )
    op.create_table(
        "purchase_line",
        sa.Column("purchase_id", sa.Uuid(), nullable=False),
        sa.Column("line_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(60), nullable=True),
        sa.Column(
            "category", sa.String(40), server_default=sa.text("''"), nullable=False
        ),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("price", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_purchase_line_quantity")),
        sa.CheckConstraint("price >= 0", name=op.f("ck_purchase_line_price")),
        sa.CheckConstraint(
            "(item_id IS NULL) = (name IS NULL)",
            name=op.f("ck_purchase_line_item_has_name"),
        ),
        _reference("purchase_line", "purchase_id", "purchase"),
        _reference("purchase_line", "item_id", "item"),
        sa.PrimaryKeyConstraint(
            "purchase_id", "line_no", name=op.f("pk_purchase_line")
        ),
    )
    op.create_table(
        "refund",
        sa.Column("refund_id", sa.Uuid(), nullable=False),
        sa.Column("purchase_id", sa.Uuid(), nullable=False),
        sa.Column("at", Moment(timezone=True), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("terminal_id", sa.Uuid(), nullable=True),
        sa.Column("request_id", sa.String(100), nullable=True),
        sa.Column("answer", sa.JSON(), nullable=True),
        _reference("refund", "purchase_id", "purchase"),
        _reference("refund", "staff_id", "staff_member"),
        _reference("refund", "terminal_id", "terminal"),
        sa.PrimaryKeyConstraint("refund_id", name=op.f("pk_refund")),
        sa.UniqueConstraint("request_id", name=op.f("uq_refund_request_id")),
    )
    op.create_table(
        "refund_line",
        sa.Column("purchase_id", sa.Uuid(), nullable=False),
        sa.Column("line_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("refund_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["purchase_id", "line_no"],
            ["purchase_line.purchase_id", "purchase_line.line_no"],
            name=op.f("fk_refund_line_purchase_id_line_no"),
        ),
        _reference("refund_line", "refund_id", "refund"),
        sa.PrimaryKeyConstraint("purchase_id", "line_no", name=op.f("pk_refund_line")),
    )
    uuid = sa.Uuid().compile(dialect=op.get_bind().dialect)
    op.execute(
        f"ALTER TABLE ledger_entry ADD COLUMN purchase_id {uuid} "
        "CONSTRAINT fk_ledger_entry_purchase_id REFERENCES purchase (purchase_id)"
    )
    for table, columns in _INDEXES:
        op.create_index(op.f(_index(table, columns)), table, list(columns))


def downgrade() -> None:
    for table, columns in reversed(_INDEXES):
        op.drop_index(op.f(_index(table, columns)), table)
    op.drop_column("ledger_entry", "purchase_id")
    for table in ("refund_line", "refund", "purchase_line", "purchase", "item"):
        op.drop_table(table)


def _reference(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    key = {"location": "location_id", "staff_member": "staff_id"}.get(to, f"{to}_id")
    return sa.ForeignKeyConstraint(
        [column], [f"{to}.{key}"], name=op.f(f"fk_{table}_{column}")
    )


def _index(table: str, columns: tuple[str, ...]) -> str:
    return f"ix_{table}_{'_'.join(columns)}"
