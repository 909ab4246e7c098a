"""Demo people and a few days of talk between them, in English and Arabic. Names, bookings and words are made up."""

from __future__ import annotations

from dataclasses import dataclass

PASSWORD = "samia-demo"  # noqa: S105 (printed by `./samia up`; never enters a deployment unless asked by name)
DOMAIN = "demo.test"


@dataclass(frozen=True)
class DemoPerson:
    login: str
    name: str
    role: str
    language: str = "en"
    timezone: str = "Asia/Beirut"

    @property
    def email(self) -> str:
        return f"{self.login}@{DOMAIN}"


@dataclass(frozen=True)
class Talk:
    """A session with its words: (who, hours before now, text, number of the message it answers or 0)."""

    people: tuple[str, str]  # client, reader
    service: str
    kind: str
    status: str
    lines: tuple[tuple[str, float, str, int], ...]
    unread: int = 0  # how many of the last lines the other side has not read


PEOPLE = (
    DemoPerson("client", "Layla Mansour", "client"),
    DemoPerson("client2", "عمر الفايز", "client", "ar", "Asia/Riyadh"),
    DemoPerson("reader", "Noor Haddad", "reader"),
    DemoPerson("reader2", "دانة خوري", "reader", "ar"),
    DemoPerson("monitor", "Karim Aziz", "monitor"),
    DemoPerson("admin", "Amal Karam", "admin"),
    DemoPerson("super", "Samia Nasser", "super_admin"),
)

TALKS = (
    Talk(
        people=("client", "reader"),
        service="Celtic Cross, 45 minutes",
        kind="booking",
        status="active",
        unread=2,
        lines=(
            (
                "client",
                50.0,
                "Good evening Noor. I booked for tomorrow, and I keep thinking about the job in Muscat.",
                0,
            ),
            ("reader", 49.8, "Good evening Layla. Keep the question short, and write it down before you sleep.", 0),
            ("reader", 49.7, "مساء النور يا ليلى، لا تستعجلي الجواب. دعي السؤال يختارك.", 0),
            ("client", 49.5, "I wrote: what am I really afraid of leaving?", 0),
            ("reader", 26.2, "I drew three cards before the full cross, to see the ground you stand on.", 0),
            ("reader", 26.1, "From left to right: Moon, Star, Sun.", 0),
            ("client", 26.0, "The Star in the middle again! It came up in spring too.", 6),
            ("client", 25.9, "قالت لي أمي: ما كان لك سيأتيك.", 0),
            ("reader", 25.8, "Your mother reads without cards. The Star asks for patience, not for luck.", 8),
            ("client", 25.6, "And the Moon?", 0),
            ("reader", 25.5, "The Moon asks what you are not saying aloud yet.", 10),
            ("client", 3.2, "So it is not only about the money, is it?", 0),
            ("reader", 3.0, "No. Take a minute with it, then tell me the first city that comes to mind.", 12),
            ("reader", 2.9, "I am here: https://samia.example/spreads/celtic-cross", 0),
        ),
    ),
    Talk(
        people=("client2", "reader2"),
        service="قراءة الفنجان، ٣٠ دقيقة",
        kind="booking",
        status="active",
        unread=1,
        lines=(
            ("client2", 30.0, "السلام عليكم يا دانة، أرسلت لك صورة الفنجان أمس.", 0),
            ("reader2", 29.8, "وعليكم السلام يا عمر. رأيتها، الفنجان واضح جداً هذه المرة.", 0),
            ("reader2", 29.7, "أرى طريقين يلتقيان عند الحافة، وطائراً صغيراً فوقهما.", 0),
            ("client2", 29.5, "الطائر خبر؟", 3),
            ("reader2", 29.4, "خبر قريب، خلال ثلاثة أيام أو ثلاثة أسابيع.", 4),
            ("client2", 5.0, "Thank you, Dana. I will write to you on Thursday at 7.", 0),
            ("reader2", 4.8, "إن شاء الله. حافظ على هدوئك حتى ذلك الحين.", 0),
        ),
    ),
    Talk(
        people=("client", "reader2"),
        service="Three cards, 20 minutes",
        kind="booking",
        status="ended",
        lines=(
            ("reader2", 90.0, "Welcome Layla. Three cards today: what was, what is, what wants to come.", 0),
            ("client", 89.9, "I am ready.", 0),
            ("reader2", 89.5, "Three of Cups, Eight of Pentacles, the World. I smiled when I turned the last one.", 0),
            ("client", 89.2, "شكراً من القلب يا دانة", 0),
        ),
    ),
    Talk(
        people=("client", "admin"),
        service="",
        kind="support",
        status="active",
        lines=(
            ("client", 70.0, "Hello, the receipt of my last booking has the wrong name on it.", 0),
            ("admin", 69.5, "Hello Layla, I have corrected it. The new one is in your mail.", 0),
            ("client", 69.4, "It is, thank you!", 0),
        ),
    ),
)
