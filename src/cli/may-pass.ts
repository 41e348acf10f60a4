/** Which failures are a state of this machine that may be over soon, though nobody does anything here. */

/** Whether another try may succeed: the disk is full or fails, the log is busy, or the system has run out of something. */
export function mayPass(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  if (error.name === 'JournalError')
    return (
      ('consequence' in error && error.consequence === 'retry') ||
      ('reason' in error && error.reason === 'io')
    );
  return 'code' in error && passing.has(String(error.code));
}

const passing = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM']);
