// The visitor's key, in the memory of this page and nowhere else.

let key = "";

export function use(text) {
  key = text;
}

export function forget() {
  key = "";
}

export function headers() {
  return key ? { Authorization: `Bearer ${key}` } : {};
}
