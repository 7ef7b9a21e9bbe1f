"""The sentences of an application: its steps (018), its relationships, their disclosure and the submission (019)."""

from __future__ import annotations

APPLICATION: dict[str, tuple[str, str]] = {
    "steps": ("Étapes de la demande", "Steps of the application"),
    "step_contract": ("Contrat et répondant", "Contract and respondent"),
    "step_details": ("Valeur et organisme public", "Value and public body"),
    "step_relationships": ("Liens d’affaires", "Business relationships"),
    "step_check": ("Vérification", "Check"),
    "step_done": ("complet", "complete"),
    "step_open": ("à remplir", "to fill in"),
    "category": ("Catégorie de contrat", "Category of contract"),
    "services_category": ("Services", "Services"),
    "construction": ("Travaux de construction", "Construction work"),
    "ppp": ("Partenariat public-privé", "Public-private partnership"),
    "respondent": ("Répondant ou répondante", "Respondent"),
    "respondent_hint": (
        "La personne physique autorisée à transmettre les documents de la demande.",
        "The natural person authorized to send the documents of the application.",
    ),
    "description": ("Description du contrat visé", "Description of the contract"),
    "contract_value": ("Valeur du contrat, en dollars", "Value of the contract, in dollars"),
    "contract_value_hint": ("Par exemple 1 250 000,50", "For example 1,250,000.50"),
    "public_body": ("Organisme public", "Public body"),
    "below_threshold": (
        "La valeur donnée est sous le seuil d’autorisation : 5 000 000 $ pour des travaux de construction ou un partenariat "
        "public-privé, 1 000 000 $ pour des services. Un organisme public ne peut pas alors exiger d’autorisation. Vous pouvez "
        "quand même continuer.",
        "The value given is below the threshold for an authorization: $5,000,000 for construction work or a public-private "
        "partnership, $1,000,000 for services. A public body cannot then require an authorization. You may go on all the same.",
    ),
    "save_continue": ("Enregistrer et continuer", "Save and continue"),
    "save_later": ("Enregistrer et revenir plus tard", "Save and come back later"),
    "saved": ("Le brouillon est enregistré.", "The draft is saved."),
    "saved_by": ("Enregistré le {when} {by}", "Saved on {when} {by}"),
    "entry_closed": (
        "La saisie est terminée ; la demande ne peut plus changer.",
        "The data entry has ended; the application can no longer change.",
    ),
    "closed_meanwhile": (
        "La demande a été transmise pendant que vous écriviez. Rien n’a été enregistré.",
        "The application was submitted while you were writing. Nothing was saved.",
    ),
    "changed_meanwhile": (
        "Une autre personne a changé ceci depuis que vous l’avez ouvert. Rien n’a été enregistré.",
        "Another person has changed this since you opened it. Nothing was saved.",
    ),
    "changed_title": ("Cette page a changé entre-temps", "This page has changed meanwhile"),
    "changed_text": (
        "Rien n’a été enregistré. Voici ce qui est enregistré maintenant ({who}) ; votre texte est dans le formulaire. "
        "Enregistrez de nouveau "
        "pour le mettre à la place.",
        "Nothing was saved. Here is what is saved now ({who}); your text is in the form. Save again to put it in its place.",
    ),
    "changed_application": (
        "La demande a changé depuis que vous avez ouvert cette page. Rien n’a été transmis. Vérifiez-la de nouveau, "
        "puis validez.",
        "The application has changed since you opened this page. Nothing was submitted. Check it again, then validate.",
    ),
    "empty": ("(vide)", "(empty)"),
    "number_is": ("Demande {number}", "Application {number}"),
    "submitted_on": ("Transmise le {when} {by}", "Submitted on {when} {by}"),
    "begin": ("Commencer une nouvelle demande", "Begin a new application"),
    "begin_text": (
        "Les liens d’affaires de la demande {number} sont repris ; ils seront à divulguer de nouveau. La demande "
        "{number} ne change pas.",
        "The business relationships of application {number} are taken over; they are to be disclosed again. Application "
        "{number} does "
        "not change.",
    ),
    "begun": ("Une nouvelle demande est commencée.", "A new application is begun."),
    # relationships
    "kind": ("Lien", "Relationship"),
    "name": ("Nom", "Name"),
    "detail": ("Précision (fonction, part, adresse)", "Detail (position, share, address)"),
    "shareholder": ("Actionnaire", "Shareholder"),
    "director": ("Administrateur ou administratrice", "Director"),
    "officer": ("Dirigeant ou dirigeante", "Officer"),
    "financial_institution": ("Institution financière", "Financial institution"),
    "establishment": ("Établissement", "Establishment"),
    "add_relationship": ("Ajouter un lien", "Add a relationship"),
    "change": ("Modifier", "Change"),
    "change_title": ("Modifier un lien d’affaires", "Change a business relationship"),
    "change_hint": (
        "Un lien modifié est à divulguer de nouveau.",
        "A relationship that was changed is to be disclosed again.",
    ),
    "remove": ("Retirer", "Remove"),
    "remove_title": ("Retirer ce lien d’affaires ?", "Remove this business relationship?"),
    "remove_confirm": ("Retirer ce lien", "Remove this relationship"),
    "relationship_added": ("Le lien est ajouté.", "The relationship is added."),
    "relationship_changed": ("Le lien est modifié.", "The relationship is changed."),
    "relationship_removed": ("Le lien est retiré.", "The relationship is removed."),
    "relationship_gone": ("Ce lien a été retiré.", "This relationship was removed."),
    "gone_text": (
        "Une autre personne l’a retiré, ou il n’a jamais existé. Rien n’a été enregistré.",
        "Another person removed it, or it never existed. Nothing was saved.",
    ),
    "error_duplicate": ("Ce lien est déjà dans la liste.", "This relationship is already in the list."),
    "error_full": ("La liste est pleine (500 liens au plus).", "The list is full (500 relationships at most)."),
    "no_relationships": ("Aucun lien pour le moment.", "No relationship at present."),
    "undisclosed": ("À divulguer", "To disclose"),
    "disclosed_on": ("Divulgué le {when} {by}", "Disclosed on {when} {by}"),
    "back_application": ("Retour à la demande", "Back to the application"),
    "back_draft_relationships": ("Retour aux liens de la demande", "Back to the relationships of the application"),
    # checking
    "complete_title": ("La demande est complète", "The application is complete"),
    "incomplete_title": ("Il manque", "What is missing"),
    "missing_category": ("la catégorie de contrat", "the category of contract"),
    "missing_respondent": ("le répondant ou la répondante", "the respondent"),
    "missing_description": ("la description du contrat visé", "the description of the contract"),
    "missing_relationship": ("au moins un lien d’affaires", "at least one business relationship"),
    "missing_disclosure": (
        "la divulgation de chaque lien (bloc 019)",
        "the disclosure of each relationship (block 019)",
    ),
    "then_019": (
        "Une personne qui a le bloc 019 divulgue ensuite les liens, valide et transmet la demande.",
        "A person with block 019 then discloses the relationships, validates and submits the application.",
    ),
    "go_to_019": ("Divulguer les liens et terminer la saisie", "Disclose relationships and end data entry"),
    # disclosing and submitting
    "disclose_checked": ("Divulguer les liens cochés", "Disclose the relationships checked"),
    "disclose_new": ("Ajouter et divulguer un lien", "Add and disclose a relationship"),
    "disclose": ("Divulguer ce lien", "Disclose this relationship"),
    "disclosed": ("Le lien est divulgué.", "The relationship is disclosed."),
    "nothing_checked": ("Cochez au moins un lien.", "Check at least one relationship."),
    "validate": ("Valider et terminer la saisie", "Validate and end data entry"),
    "validate_hint": (
        "Il faut une demande complète et tous ses liens divulgués. Vous confirmerez que c’est bien vous.",
        "A complete application with all its relationships disclosed is needed. You will confirm that it is you.",
    ),
    "back_relationships": ("Retour aux liens", "Back to relationships"),
    "confirm_validation": ("Confirmez la fin de la saisie", "Confirm the end of the data entry"),
    "validation_is_final": (
        "Cette validation transmet la demande ; elle ne pourra plus changer. Une facture de {amount} sera à payer.",
        "This validation submits the application; it can no longer change. An invoice of {amount} will be due.",
    ),
    "validated": (
        "La saisie est validée et terminée. La demande {number} est transmise ; ses frais sont à payer (bloc 008).",
        "The entry is validated and ended. Application {number} is submitted; its fee is to be paid (block 008).",
    ),
    "already_submitted": (
        "La demande {number} avait déjà été transmise.",
        "Application {number} had already been submitted.",
    ),
    "cannot_validate": (
        "La saisie ne peut pas être terminée : la demande n’est pas complète.",
        "The data entry cannot be ended: the application is not complete.",
    ),
    "and_more": ("et {count} de plus", "and {count} more"),
}
