// Posts the answer of a sign-in to the agency at once; without scripts, its button does.
document.getElementById("form-post").submit();
