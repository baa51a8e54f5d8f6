/** Text inside HTML. */

/** Escapes text for HTML content and double-quoted attributes; control and bidirectional marks become visible. */
export function escapeHtml(text: string): string {
  return (
    text
      // eslint-disable-next-line no-control-regex
      .replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "\ufffd")
      .replace(/[&<>"'`]/g, (mark) => `&#${mark.charCodeAt(0)};`)
  );
}
