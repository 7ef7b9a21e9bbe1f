"""The sentences of messages, requests, follow-up, invoices and the client file."""

from __future__ import annotations

SERVICES: dict[str, tuple[str, str]] = {
    # 001
    "messages": ("Messages", "Messages"),
    "unread": ("Non lu", "Unread"),
    "read": ("Lu", "Read"),
    "no_messages": ("Aucun message.", "No message."),
    "back_messages": ("Retour aux messages", "Back to messages"),
    # 005
    "request_kind": ("Nature de la demande", "Kind of request"),
    "information": ("Demande de renseignements", "Request for information"),
    "meeting": ("Demande de rencontre", "Request for a meeting"),
    "correction": ("Correction à mon dossier", "Correction to my file"),
    "subject": ("Objet", "Subject"),
    "text": ("Votre demande", "Your request"),
    "send": ("Transmettre", "Submit"),
    "sent": ("Votre demande {number} est transmise.", "Your request {number} is submitted."),
    # 007
    "number": ("Numéro", "Number"),
    "date": ("Date", "Date"),
    "state": ("État", "Status"),
    "received": ("Reçue", "Received"),
    "no_requests": ("Aucune demande transmise.", "No request submitted."),
    # 008
    "amount": ("Montant", "Amount"),
    "due": ("Échéance", "Due"),
    "pay": ("Payer", "Pay"),
    "pay_hint": ("Paiement fictif : aucune somme n’est prélevée.", "Fictitious payment: no money is taken."),
    "paid": ("Payée, reçu {receipt}", "Paid, receipt {receipt}"),
    "paid_now": ("Paiement reçu. Votre reçu : {receipt}.", "Payment received. Your receipt: {receipt}."),
    "paid_before": ("Cette facture était déjà payée.", "This invoice was already paid."),
    "invoice": ("Facture", "Invoice"),
    "back_invoices": ("Retour aux factures", "Back to invoices"),
    "confirm_payment": ("Confirmez le paiement", "Confirm the payment"),
    "pay_amount": ("Payer {amount}", "Pay {amount}"),
    # the client file
    "file": ("Dossier", "File"),
    "application": ("Demande d’autorisation", "Application for authorization"),
    "none": ("Aucune", "None"),
    "relationships": ("Liens d’affaires", "Business relationships"),
    "enterprise": ("Entreprise", "Enterprise"),
    "invoices": ("Factures", "Invoices"),
    "requests_sent": ("Demandes transmises", "Requests submitted"),
    "applications": ("Demandes d’autorisation", "Applications for authorization"),
    "history": ("Historique", "History"),
    "no_invoices": ("Aucune facture.", "No invoice."),
    # messages
    "mark_unread": ("Marquer comme non lu", "Mark as unread"),
    "your_replies": ("Vos réponses", "Your answers"),
    "reply": ("Répondre", "Answer"),
    "reply_text": ("Votre réponse", "Your answer"),
    "reply_send": ("Envoyer la réponse", "Send the answer"),
    "reply_sent": ("Votre réponse est envoyée.", "Your answer is sent."),
    "message_welcome_subject": ("Bienvenue dans les services en ligne", "Welcome to the online services"),
    "message_welcome_body": (
        "Vous pouvez maintenant préparer votre demande d’autorisation de contracter. Les documents restent ici sept ans.",
        "You may now prepare your application for authorization to contract. Documents stay here for seven years.",
    ),
    "message_establishment_subject": ("Renseignement manquant à votre dossier", "Missing information in your file"),
    "message_establishment_body": (
        "Veuillez déclarer l’établissement ouvert en septembre. Aucun délai n’est en cause.",
        "Please declare the establishment opened in September. No deadline is at stake.",
    ),
    "message_submitted_subject": (
        "Nous avons reçu votre demande d’autorisation {number}",
        "We have received your application for authorization {number}",
    ),
    "message_submitted_body": (
        "Les frais de {amount} sont à payer au plus tard le {due} (facture {invoice}). L’étude commence au paiement.",
        "The fee of {amount} is to be paid by {due} (invoice {invoice}). The examination begins on payment.",
    ),
    "message_fee_paid_subject": ("Votre demande {number} est à l’étude", "Your application {number} is being examined"),
    "message_fee_paid_body": (
        "Nous avons reçu le paiement de {amount} (reçu {receipt}). Rien d’autre n’est demandé pour le moment.",
        "We have received the payment of {amount} (receipt {receipt}). Nothing more is asked for at present.",
    ),
    "message_request_subject": ("Nous avons reçu votre demande {number}", "We have received your request {number}"),
    "message_request_body": (
        "Votre demande « {subject} » est reçue. Pour la compléter, répondez à ce message.",
        "Your request “{subject}” is received. To complete it, answer this message.",
    ),
    # follow-up
    "completed": ("Complétée par l’entreprise", "Completed by the enterprise"),
    "draft": ("Brouillon", "Draft"),
    "awaiting_payment": ("Transmise, paiement attendu", "Submitted, payment awaited"),
    "under_review": ("À l’étude", "Being examined"),
    "not_numbered": ("Sans numéro", "No number yet"),
    "nothing_followed": ("Aucune demande pour le moment.", "No application or request at present."),
    "next_for_draft": (
        "Une personne qui a le bloc 018 remplit la demande ; une personne qui a le bloc 019 divulgue les liens et la transmet.",
        "A person with block 018 fills in the application; a person with block 019 discloses relationships and submits it.",
    ),
    "next_for_awaiting_payment": (
        "Une personne qui a le bloc 008 paie les frais ; l’étude commence alors.",
        "A person with block 008 pays the fee; the examination then begins.",
    ),
    "next_for_under_review": (
        "L’AMP étudie la demande. Un message arrivera dans la boîte de l’entreprise (bloc 001).",
        "The AMP examines the application. A message will come to the inbox of the enterprise (block 001).",
    ),
    "next_for_received": ("L’AMP répondra dans la boîte de messages.", "The AMP will answer in the message inbox."),
    "next_for_completed": ("L’AMP répondra dans la boîte de messages.", "The AMP will answer in the message inbox."),
    "next_step": ("La suite", "What comes next"),
    "request_number": ("Demande {number}", "Request {number}"),
    "back_follow_up": ("Retour au suivi", "Back to the follow-up"),
    # invoices
    "fee_paid_now": (
        "La demande {number} passe à l’étude.",
        "Application {number} is now being examined.",
    ),
    "to_pay": ("À payer", "To pay"),
}
