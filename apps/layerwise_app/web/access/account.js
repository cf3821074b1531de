// Who is signed in, at the end of the header; what they may not do is not shown. The server refuses it anyway.
fetch("./api/v1/account").then((answer) => answer.json()).then(({ name, role, refused }) => {
  document.documentElement.dataset.role = role;
  for (const page of refused) {
    for (const link of element.querySelectorAll(`a[href="./${page}"]`)) link.hidden = true;
  }
  const account = element.querySelector(".lw-account");
  account.querySelector("span").textContent = `${name}, ${role}`;
  account.hidden = false;
});
