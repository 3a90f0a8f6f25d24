// The queue of photos: decided by keyboard. Everything in it works without this file.
