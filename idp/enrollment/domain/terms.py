"""The terms of use the representative accepts: one text per version and language, and the digest that is kept.

A text is never edited once a version is in use: a change is a new version, and old ones stay readable.
"""

from __future__ import annotations

import hashlib

TERMS_VERSION = "2026-11"

TEXTS: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {
    ("2026-11", "fr"): (
        (
            "Ce que fait Mandat",
            "Mandat vérifie l’identité de la personne qui représente l’entreprise, conserve qui peut agir pour elle et le dit "
            "aux ministères et organismes auxquels l’entreprise s’inscrit. Chaque communication est limitée à ce qui sert à "
            "reconnaître la personne, l’entreprise et ses droits.",
        ),
        (
            "Ce que vous déclarez",
            "Vous déclarez que les renseignements du dossier sont exacts et que vous pouvez représenter l’entreprise, par "
            "votre fonction ou par un mandat. Une fausse déclaration peut faire refuser ou suspendre le dossier.",
        ),
        (
            "Ce dont l’entreprise répond",
            "Les codes remis aux personnes que vous nommez sont réputés remis à l’entreprise. Ce qu’elles transmettent avec "
            "ces codes est réputé transmis par l’entreprise. Chaque code est personnel et ne se prête pas.",
        ),
        (
            "Les responsables des services électroniques",
            "Une personne nommée responsable détient tous les droits de l’entreprise auprès des organismes auxquels "
            "l’entreprise est inscrite et peut accorder ces droits à d’autres personnes, toujours avec une date de fin.",
        ),
        (
            "Les renseignements conservés",
            "Le numéro d’identification de Revenu Québec et le numéro d’avis sont chiffrés et ne sont jamais transmis à un "
            "organisme. Un document fourni est détruit 90 jours après la décision\u00a0; seule son empreinte est gardée. Le "
            "journal des actes est conservé sept ans.",
        ),
        (
            "Vos recours",
            "Vous pouvez retirer le dossier avant qu’il soit actif, demander la correction d’un renseignement et contester "
            "un refus. La page du dossier dit comment.",
        ),
    ),
    ("2026-11", "en"): (
        (
            "What Mandat does",
            "Mandat verifies the identity of the person who represents the enterprise, keeps who may act for it and tells the "
            "departments and agencies the enterprise subscribes to. Each communication is limited to what serves to "
            "recognize the person, the enterprise and its rights.",
        ),
        (
            "What you declare",
            "You declare that what the file says is exact and that you may represent the enterprise, by your office or by a "
            "mandate. A false declaration may have the file refused or suspended.",
        ),
        (
            "What the enterprise answers for",
            "Codes handed to the persons you name are considered to have been given to the enterprise. What they send with "
            "these codes is considered to have been sent by the enterprise. Each code is personal and is never lent.",
        ),
        (
            "Persons in charge of electronic services",
            "A person named in charge holds all the rights of the enterprise at the agencies it is subscribed to, and may "
            "grant these rights to others, always with an end date.",
        ),
        (
            "What is kept",
            "The Revenu Québec identification number and the notice number are encrypted and never sent to an agency. A "
            "document you provide is destroyed 90 days after the decision; only its fingerprint is kept. The log of acts "
            "is kept for seven years.",
        ),
        (
            "Your remedies",
            "You may withdraw the file before it is active, ask that a fact be corrected and contest a refusal. The page of "
            "the file says how.",
        ),
    ),
}


def sections(language: str, version: str = TERMS_VERSION) -> tuple[tuple[str, str], ...]:
    """Return the titled paragraphs of the terms."""
    return TEXTS[version, language]


def terms_digest(language: str, version: str = TERMS_VERSION) -> str:
    """Return the SHA-256 of the exact text shown, in hexadecimal."""
    text = "\n\n".join(f"{title}\n{body}" for title, body in sections(language, version))
    return hashlib.sha256(text.encode()).hexdigest()
