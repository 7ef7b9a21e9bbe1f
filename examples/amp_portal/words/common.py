"""The sentences of every page, of signing in and of a fresh sign-in: French first."""

from __future__ import annotations

COMMON: dict[str, tuple[str, str]] = {
    "portal": ("Portail de l’AMP", "AMP portal"),
    "demonstration": ("Démonstration", "Demonstration"),
    "not_official": (
        "Ce portail est une démonstration. Il n’est pas un service de l’Autorité des marchés publics.",
        "This portal is a demonstration. It is not a service of the Autorité des marchés publics.",
    ),
    "skip": ("Aller au contenu", "Skip to content"),
    "other_language": ("English", "Français"),
    "sign_in": ("Se connecter avec Mandat", "Sign in with Mandat"),
    "sign_out": ("Se déconnecter", "Sign out"),
    "switch": ("Changer d’entreprise", "Change enterprise"),
    "acting_for": ("Vous agissez pour", "You act for"),
    "open": ("Ouvert", "Open"),
    "closed": ("Non accordé", "Not granted"),
    "workspace": ("Vos services", "Your services"),
    "back": ("Retour aux services", "Back to services"),
    "told": ("Ce que Mandat nous a dit", "What Mandat told us"),
    "told_text": (
        "Voici les renseignements reçus à votre connexion, et rien d’autre.",
        "This is what we received when you signed in, and nothing else.",
    ),
    "events": ("Signaux reçus", "Signals received"),
    "no_events": ("Aucun signal reçu.", "No signal received."),
    "event_backchannel-logout": ("Fin de session", "Session ended"),
    "event_session-revoked": ("Session fermée dans Mandat", "Session closed at Mandat"),
    "event_token-claims-change": ("Droits modifiés", "Rights changed"),
    "event_credential-change": ("Mot de passe ou application modifié", "Password or application changed"),
    "event_other": ("Autre signal", "Other signal"),
    "claim": ("Renseignement", "Claim"),
    "value": ("Valeur", "Value"),
    "refused_title": ("Ce service ne vous est pas accordé", "This service is not granted to you"),
    "refused_why": (
        "Pour {enterprise}, vous ne détenez pas le bloc fonctionnel {code} ({label}). Vous détenez : {held}.",
        "For {enterprise}, you do not hold functional block {code} ({label}). You hold: {held}.",
    ),
    "refused_none": ("aucun bloc", "no block"),
    "refused_how": ("Comment l’obtenir", "How to get it"),
    "refused_how_text": (
        "Demandez-le à la personne responsable des services électroniques de votre entreprise. Dans Mandat, elle ouvre "
        "« Autorité des marchés publics », puis « Donner ou retirer des accès », et vous accorde ce bloc avec une date de fin.",
        "Ask the person in charge of electronic services of your enterprise. In Mandat, they open “Autorité des marchés "
        "publics”, then “Give or remove access”, and grant you this block with an end date.",
    ),
    "refused_ask": ("Demander cet accès dans Mandat", "Ask for this access in Mandat"),
    "refused_how_pes": (
        "Vous êtes responsable des services électroniques, mais l’inscription de votre entreprise ne couvre pas ce bloc. "
        "Modifiez-la dans Mandat.",
        "You are in charge of electronic services, but the subscription of your enterprise does not cover this block. "
        "Change it "
        "in Mandat.",
    ),
    "refused_how_ar": (
        "Vous êtes le représentant autorisé. Dans Mandat, nommez une personne responsable des services électroniques ou "
        "rappelez-lui de vous accorder ce bloc.",
        "You are the authorized representative. In Mandat, name a person in charge of electronic services, or remind "
        "them to grant "
        "you this block.",
    ),
    "refused_again": ("Vérifier de nouveau mes droits", "Check my rights again"),
    "enterprise_inactive": (
        "L’entreprise {enterprise} est suspendue. Aucun service n’est ouvert pour elle.",
        "The enterprise {enterprise} is suspended. No service is open for it.",
    ),
    "removed_title": ("Vos droits ont changé", "Your rights have changed"),
    "removed_text": (
        "Mandat nous a signalé un changement le {when}. Par prudence, votre session ici a pris fin. Ce que vous aviez "
        "enregistré est conservé.",
        "Mandat told us of a change on {when}. To be safe, your session here has ended. What you had saved is kept.",
    ),
    "removed_go_on": ("Continuer avec mes droits actuels", "Go on with my present rights"),
    "continue": ("Continuer", "Continue"),
    "failed_title": ("La connexion n’a pas abouti", "Signing in did not succeed"),
    "failed_denied": (
        "Vous avez annulé, ou aucune entreprise ne peut être représentée en ce moment.",
        "You cancelled, or there is no enterprise to act for at present.",
    ),
    "failed_other": (
        "Réessayez. Si le problème persiste, écrivez-nous.",
        "Try again. If the problem persists, write to us.",
    ),
    "unreachable": (
        "Le service de connexion ne répond pas. Réessayez dans quelques minutes.",
        "The sign-in service does not answer. Try again in a few minutes.",
    ),
    "signed_out_title": ("Votre session au portail est fermée", "You are signed out of the portal"),
    "not_found": ("Page introuvable", "Page not found"),
    "bad_form": (
        "Ce formulaire n’est plus valide. Rechargez la page.",
        "This form is no longer valid. Reload the page.",
    ),
    "error_summary": ("Il y a un problème", "There is a problem"),
    "error_required": ("Remplissez ce champ.", "Fill in this field."),
    "error_long_40": ("Écrivez 40 caractères au plus.", "Write at most 40 characters."),
    "error_long_200": ("Écrivez 200 caractères au plus.", "Write at most 200 characters."),
    "error_long_2000": (
        "Le texte est trop long (2 000 caractères au plus).",
        "The text is too long (2,000 characters at most).",
    ),
    "error_letters": ("Écrivez au moins une lettre ou un chiffre.", "Write at least one letter or digit."),
    "error_money": (
        "Écrivez un montant en dollars, par exemple 1 250 000,50.",
        "Write an amount in dollars, for example 1,250,000.50.",
    ),
    "too_large_title": ("Votre envoi est trop volumineux", "What you sent is too large"),
    "too_large_text": (
        "Rien n’a été enregistré. Revenez à la page précédente : votre texte s’y trouve encore. Raccourcissez-le.",
        "Nothing was saved. Go back to the previous page: your text is still there. Shorten it.",
    ),
    "broken_title": ("Une erreur est survenue", "Something went wrong"),
    "broken_text": (
        "L’erreur est notée. Rien n’a été fait à moitié. Réessayez dans quelques minutes.",
        "The error is recorded. Nothing was half done. Try again in a few minutes.",
    ),
    "refused_request": ("Rien n’a été enregistré", "Nothing was saved"),
    "error_title": ("Erreur : ", "Error: "),
    "typed_title": ("Votre texte n’a pas été transmis", "Your text was not sent"),
    "typed_text": (
        "Le voici. Si vous retrouvez l’accès à cette page d’ici un jour, il vous attendra dans le formulaire.",
        "Here it is. If you have access to this page again within a day, it will be in the form.",
    ),
    "typed_copy": ("Le voici, pour que vous puissiez le copier.", "Here it is, so that you can copy it."),
    "text_kept": (
        "Votre texte a été gardé, mais n’est pas encore transmis. Vérifiez-le, puis envoyez-le.",
        "Your text was kept but is not sent yet. Check it, then send it.",
    ),
    "other_enterprise_title": (
        "Vous agissez maintenant pour une autre entreprise",
        "You now act for another enterprise",
    ),
    "other_enterprise_text": (
        "Ce formulaire avait été ouvert pour une autre entreprise que {enterprise}. Rien n’a été enregistré.",
        "This form was opened for another enterprise than {enterprise}. Nothing was saved.",
    ),
    "signed_out_meanwhile": (
        "Votre session ici est terminée ; rien n’a été enregistré.",
        "Your session here has ended; nothing was saved.",
    ),
    "previous_page": ("Page précédente", "Previous page"),
    "next_page": ("Page suivante", "Next page"),
    "page_of": ("Page {number} de {last}", "Page {number} of {last}"),
    "somebody": ("une personne de l’entreprise", "a person of the enterprise"),
    "by": ("par {name}", "by {name}"),
    "optional": ("facultatif", "optional"),
    "error_choice": ("Choisissez une réponse de la liste.", "Choose an answer from the list."),
    # blocks
    "001": ("Boîte de messages sécurisée", "Secure message inbox"),
    "005": (
        "Demandes de renseignements et autres demandes",
        "Requests for information and other applications/requests",
    ),
    "007": ("Suivi des demandes", "Follow-up on applications and requests"),
    "008": ("Paiement de factures", "Pay invoices"),
    "018": (
        "LCOP – Demande d’autorisation; ajout ou modification de liens d’affaires",
        "ACPB – Application for authorization; Add/change business relationships",
    ),
    "019": (
        "LCOP – Divulgation des liens; validation et fin de la saisie",
        "ACPB – Disclose relationships; Validate and end data entry",
    ),
    "024": ("Accès au dossier client limité à la LCOP", "Access to client file limited to ACPB"),
    # a fresh sign-in
    "step_up": ("Confirmez que c’est bien vous", "Confirm it is you"),
    "step_up_payment": (
        "Avant un paiement, nous vous demandons de vous connecter de nouveau. Rien n’a été payé. Au retour, la facture sera "
        "prête à payer.",
        "Before a payment, we ask you to sign in again. Nothing has been paid. When you return, the invoice is ready to "
        "be paid.",
    ),
    "step_up_validation": (
        "Avant de mettre fin à la saisie, nous vous demandons de vous connecter de nouveau. Rien n’a été validé. Au retour, la "
        "validation sera prête à confirmer.",
        "Before the data entry ends, we ask you to sign in again. Nothing has been validated. When you return, the "
        "validation is "
        "ready to be confirmed.",
    ),
    "step_up_since": ("Votre dernière connexion date du {when}.", "You last signed in on {when}."),
    "step_up_button": ("Confirmer que c’est bien moi", "Confirm it is you"),
    "not_confirmed": ("Rien n’a été fait", "Nothing was done"),
    "not_confirmed_cancelled": (
        "Vous n’avez pas terminé la connexion. Votre session ici n’a pas changé.",
        "You did not finish signing in. Your session here has not changed.",
    ),
    "not_confirmed_not_fresh": (
        "Le service de connexion n’a pas confirmé votre identité à l’instant, comme nous l’avions demandé. Réessayez. Si le "
        "problème persiste, écrivez-nous.",
        "The sign-in service did not confirm who you are just now, as we had asked. Try again. If the problem persists, "
        "write to "
        "us.",
    ),
    "not_confirmed_somebody_else": (
        "La connexion a été faite par une autre personne ou pour une autre entreprise. Par prudence, ce qui allait être "
        "confirmé "
        "est abandonné.",
        "The sign-in was by another person or for another enterprise. To be safe, what was about to be confirmed is dropped.",
    ),
    "not_confirmed_again": ("Revenir à ce que je faisais", "Go back to what I was doing"),
}
