/** Two images, laid over each other. */
export function Logo({ size }: { size: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden focusable="false">
      <circle cx="11.5" cy="16" r="9" fill="#2aa5b8" />
      <circle cx="20.5" cy="16" r="9" fill="#f0943c" />
      <path d="M16 8.2a9 9 0 0 1 0 15.6a9 9 0 0 1 0-15.6z" fill="#fff1d6" />
    </svg>
  );
}
