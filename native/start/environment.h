/*
 * Which variables reach Node. Dozens of variables make it run or load something else (NODE_OPTIONS, OPENSSL_CONF, NODE_EXTRA_CA_CERTS,
 * LD_PRELOAD …), more with each version: so only those of a list are kept.
 */
#ifndef DYNUSER_START_ENVIRONMENT_H
#define DYNUSER_START_ENVIRONMENT_H

/* Takes an environment as execve(2) does. Returns one of the variables to keep, to be freed, or NULL if there is no memory. */
char **keep_environment(char *const *environment);

#endif
