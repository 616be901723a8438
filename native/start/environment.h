/*
 * Owns which variables reach Node. It knows dozens that make it run or load something else (NODE_OPTIONS, OPENSSL_CONF,
 * NODE_EXTRA_CA_CERTS, LD_PRELOAD …), more with each version: so what is not in the list is left out.
 */
#ifndef DYNUSER_START_ENVIRONMENT_H
#define DYNUSER_START_ENVIRONMENT_H

/* Takes an environment as execve(2) does. Returns one of the variables to keep, to be freed, or NULL without memory. */
char **keep_environment(char *const *environment);

#endif
