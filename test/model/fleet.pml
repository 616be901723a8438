/*
 * The fleet protocol: two hosts, two names, two UIDs, and a store that does each transaction at once. A reply may be lost, and a daemon may
 * be killed, at every step. `npm run test:stress -- stress/fleet-model` searches every state.
 *
 * | step of the model            | step of the code                                                                             |
 * | ---------------------------- | -------------------------------------------------------------------------------------------- |
 * | LOOK                         | after a boot, the one look at inc/<host> before a fleet user starts                            |
 * | START, STOP                  | a record is there: no store is asked                                                           |
 * | CLAIM, JOIN                  | Fleet.hold: one transaction                                                               |
 * | RECORD                       | holds/<name> is durable on the host, before the user is published                              |
 * | FORGET_RECORD, FORGET_HOLD   | first on the host, then Fleet.forget                                                      |
 * | COLLECT                      | Fleet.collect: a name that no host holds, and that has no directory; its UID cools down   |
 * | COOLED                       | the lease of the cooling key runs out                                                          |
 * | TAKE, WRITE                  | Fleet.takeDirectory; then files of the name's UID are on the shared storage               |
 * | FENCE                        | Fleet.forgetHost, after the host was powered off                                               |
 * | RETURN, HOLD_AGAIN           | Fleet.join gives it a new incarnation, then Fleet.hold of each record                          |
 * | SAVE, RESTORE                | the store is a backup of itself                                                                |
 * | PUT_AGAIN, RESUME            | Fleet.restore by each host, then Fleet.resume by the operator                                  |
 * | BEGIN, END                   | src/fleet/uses.ts: a request uses a name, from before it reads the record until the user lives  |
 * | LIST, TAKE_UP                | src/fleet/membership.ts: holds that the host has no record of, after it has joined              |
 * | LEAVE                        | Fleet.leave, after all names were forgotten                                                   |
 * | LATE                         | what a member of etcd has taken, and passes on when nobody waits for the answer any more        |
 *
 * What is searched is whether two names ever run with one UID, and whether a name ever runs with the UID of files that are another's. Each M_…
 * leaves out a step or exchanges two, and the search has to find the harm. A world has hosts that boot (WITH_BOOTS), that are fenced
 * (WITH_FENCING), a shared directory (WITH_DIRECTORY), a backup (WITH_BACKUP), or a daemon that is at two things at a time (WITH_TASKS);
 * together they have too many states for a test.
 */
#define AT(n, h) ((n) * 2 + (h))
#define COOLING(n) ((n) + 3)

/* The store. Where 0 means none, a name is n + 1 and a UID is u + 1. */
byte nameUid[2];
byte uidName[2];            /* or COOLING(n): n had it last */
bool hold[4];
byte inc[2];                /* 0: fenced */
byte directory;             /* the name that has the shared directory */
#ifdef M_LEASE_STAYS
bool leased[2];
#endif

/* The disks of the hosts, and of the shared storage. */
byte record[4];             /* the UID that the host may use the name with */
byte mine[2];
byte fileUid;

/* What runs: the UID of the name there. */
byte runs[4];
bool isUp[2];
bool hasEnded[2];           /* the daemon of a host that is off has noticed that */
#ifdef WITH_FENCING
bool isKeptOff;             /* host 0, by the operator */
#define MAY_BOOT(h) (h == 1 || !isKeptOff)
#else
#define MAY_BOOT(h) true
#endif
bool hasLooked[2];          /* since the boot */

#ifdef WITH_BACKUP
byte oldNameUid[2], oldUidName[2];
bool oldHold[4];
byte oldInc[2];
byte cluster, confirmed;    /* the cluster that answers, and the one whose bindings are known to be all */
byte seen[2];               /* the cluster that the host has put its bindings into */
bool hasPut[2];
#define IS_WHOLE (cluster == confirmed)
#define KNOWS(h) (seen[h] == cluster)
#else
#define IS_WHOLE true
#define KNOWS(h) true
#endif

#ifdef M_TRUST_BOOT
#define MAY_LOOK(h) true
#elif defined(M_TRUST_BACKUP)
#define MAY_LOOK(h) (inc[h] == mine[h])
#else
#define MAY_LOOK(h) (inc[h] == mine[h] && IS_WHOLE && KNOWS(h))
#endif
#ifdef M_CLAIM_FROM_BACKUP
#define MAY_CLAIM(h) (inc[h] == mine[h])
#define MAY_JOIN(h) (inc[h] == mine[h] && IS_WHOLE && KNOWS(h))
#elif defined(M_JOIN_FROM_BACKUP)
#define MAY_CLAIM(h) (inc[h] == mine[h] && IS_WHOLE && KNOWS(h))
#define MAY_JOIN(h) (inc[h] == mine[h])
#else
#define MAY_CLAIM(h) (inc[h] == mine[h] && IS_WHOLE && KNOWS(h))
#define MAY_JOIN(h) MAY_CLAIM(h)
#endif

#define BOTH_RUN(u) ((runs[0] == u || runs[1] == u) && (runs[2] == u || runs[3] == u))
#define OWN_UID !BOTH_RUN(1) && !BOTH_RUN(2)
#define OTHERS_RUN(n, u) (runs[AT(1 - (n), 0)] == u || runs[AT(1 - (n), 1)] == u)
#define OWN_FILES (fileUid == 0 || !OTHERS_RUN(directory - 1, fileUid))

inline claim(n, u) {
	nameUid[n] = u; uidName[u - 1] = n + 1; hold[AT(n, h)] = true
}

/* hold() of a name that the host has no record of, and the record. */
inline firstUse(n) {
	atomic {
		if
		:: MAY_JOIN(h) && nameUid[n] != 0 -> hold[AT(n, h)] = true; u = nameUid[n]                      /* JOIN */
		:: MAY_CLAIM(h) && nameUid[n] == 0 && (uidName[0] == 0 || uidName[0] == COOLING(n)) -> claim(n, 1); u = 1    /* CLAIM */
		:: MAY_CLAIM(h) && nameUid[n] == 0 && (uidName[1] == 0 || uidName[1] == COOLING(n)) -> claim(n, 2); u = 2
		:: true -> goto again                                                                           /* it is lost, or refused */
		fi
	};
	atomic {
		if
		:: record[AT(n, h)] = u                                                                        /* RECORD */
		:: true                                                                                         /* killed */
		fi;
		goto again
	}
}

inline forgetName(n) {
#ifdef M_HOLD_BEFORE_RECORD
	atomic {
		if
		:: inc[h] == mine[h] -> hold[AT(n, h)] = false
		:: true -> goto again
		fi
	};
	if
	:: record[AT(n, h)] = 0
	:: true
	fi;
#else
	if
	:: atomic { true -> goto again }                                                                    /* killed after FORGET_RECORD */
	:: atomic { inc[h] == mine[h] -> hold[AT(n, h)] = false }                                           /* FORGET_HOLD */
	fi;
#endif
	goto again
}

#ifdef M_RETURN_WITHOUT_LOOKING
#define STILL_BOUND(n) true
#else
#define STILL_BOUND(n) (nameUid[n] == record[AT(n, h)])
#endif
inline holdAgain(n) {
	atomic {
		if
		:: record[AT(n, h)] != 0 && STILL_BOUND(n) -> hold[AT(n, h)] = true                             /* HOLD_AGAIN */
		:: record[AT(n, h)] != 0 && !STILL_BOUND(n) -> runs[AT(n, h)] = 0; record[AT(n, h)] = 0
		:: record[AT(n, h)] == 0
		fi
	}
}

#ifdef WITH_BACKUP
/* Create it, or find it equal; what the host has no record of is not held by it. */
inline putAgain(n) {
	atomic {
		if
		:: record[AT(n, h)] == 0 -> hold[AT(n, h)] = false
		:: record[AT(n, h)] != 0 && nameUid[n] == record[AT(n, h)] -> hold[AT(n, h)] = true
		:: record[AT(n, h)] != 0 && nameUid[n] == 0 && (uidName[record[AT(n, h)] - 1] == 0 || uidName[record[AT(n, h)] - 1] >= COOLING(0)) ->
			claim(n, record[AT(n, h)])                                                                  /* PUT_AGAIN */
		:: record[AT(n, h)] != 0 && nameUid[n] != record[AT(n, h)] && (nameUid[n] != 0 || (uidName[record[AT(n, h)] - 1] != 0 && uidName[record[AT(n, h)] - 1] < COOLING(0))) ->
#ifdef M_RESUME_WITH_CONFLICTS
			skip
#else
			goto again                                                                                  /* a conflict: hasPut stays false */
#endif
		fi
	}
}
#endif

#define IS_IDLE(n) (runs[AT(n, h)] == 0)
proctype host(byte h) {
	byte u;
again:
	atomic { u = 0 };
end:
	do
	:: {
		do
		:: atomic { isUp[h] && !hasLooked[h] && MAY_LOOK(h) -> hasLooked[h] = true }                    /* LOOK */
		:: atomic { isUp[h] && hasLooked[h] && record[AT(0, h)] != 0 && IS_IDLE(0) -> runs[AT(0, h)] = record[AT(0, h)] }     /* START */
		:: atomic { isUp[h] && hasLooked[h] && record[AT(1, h)] != 0 && IS_IDLE(1) -> runs[AT(1, h)] = record[AT(1, h)] }
		:: atomic { isUp[h] && !IS_IDLE(0) -> runs[AT(0, h)] = 0 }                                      /* STOP */
		:: atomic { isUp[h] && !IS_IDLE(1) -> runs[AT(1, h)] = 0 }
		:: atomic { isUp[h] && record[AT(0, h)] == 0 && IS_IDLE(0) && MAY_JOIN(h) }; firstUse(0)
		:: atomic { isUp[h] && record[AT(1, h)] == 0 && IS_IDLE(1) && MAY_JOIN(h) }; firstUse(1)
#ifdef M_HOLD_BEFORE_RECORD
		:: atomic { isUp[h] && record[AT(0, h)] != 0 && IS_IDLE(0) }; forgetName(0)
		:: atomic { isUp[h] && record[AT(1, h)] != 0 && IS_IDLE(1) }; forgetName(1)
#else
		:: atomic { isUp[h] && record[AT(0, h)] != 0 && IS_IDLE(0) -> record[AT(0, h)] = 0 }; forgetName(0)     /* FORGET_RECORD */
		:: atomic { isUp[h] && record[AT(1, h)] != 0 && IS_IDLE(1) -> record[AT(1, h)] = 0 }; forgetName(1)
#endif
#ifdef WITH_DIRECTORY
#ifdef M_DIRECTORY_OF_ANYONE
		:: atomic { isUp[h] && !IS_IDLE(0) && inc[h] == mine[h] && directory != 1 -> directory = 1 }
#else
		:: atomic { isUp[h] && !IS_IDLE(0) && directory == 0 && inc[h] == mine[h] -> directory = 1 }     /* TAKE */
#endif
		:: atomic { isUp[h] && !IS_IDLE(0) && directory == 1 && fileUid == 0 -> fileUid = runs[AT(0, h)] }      /* WRITE */
		:: atomic { isUp[h] && !IS_IDLE(1) && directory == 0 && inc[h] == mine[h] -> directory = 2 }
		:: atomic { isUp[h] && !IS_IDLE(1) && directory == 2 && fileUid == 0 -> fileUid = runs[AT(1, h)] }
#endif
#ifdef WITH_FENCING
		:: atomic { isUp[h] && inc[h] != mine[h] && IS_WHOLE && KNOWS(h) -> inc[h] = 2 };               /* RETURN */
			holdAgain(0);
			holdAgain(1);
			atomic { mine[h] = 2; hasLooked[h] = true; goto again }
#endif
#ifdef WITH_BACKUP
		:: atomic { isUp[h] && !KNOWS(h) };
			putAgain(0);
			putAgain(1);
			atomic { seen[h] = cluster; hasPut[h] = true; inc[h] = mine[h]; goto again }
#endif
		od
	} unless { atomic { !isUp[h] -> u = 0; hasEnded[h] = true } }; isUp[h]
	od
}

#ifdef WITH_TASKS
/*
 * Host 0, whose daemon is at two things at a time. Each is a request for a user of the first name, or one of what membership.ts and
 * forgetting.ts do; the other name is host 1's alone.
 */
bool isRequested;
bool isForgotten;           /* it is being forgotten */
bool isTakenUp;             /* it is being taken up */
byte holding;               /* first uses, from before the store is asked until it is recorded */
bool isLeaving;
bool isListing;
byte listed;                /* the UID of a hold that the store has told of */
bool isLate;                /* a Forget that nobody waits for is under way */
bool isSame;                /* the hold is the one that is, or was last, being forgotten */

#define UID nameUid[0]
#define HOLD hold[AT(0, 0)]
#define RECORD record[AT(0, 0)]
#define RUNS runs[AT(0, 0)]
#define IS_UNUSED (!isRequested && RUNS == 0)
#ifdef M_FORGET_WHAT_IS_USED
#define MAY_FORGET true
#else
#define MAY_FORGET (IS_UNUSED && !isTakenUp)
#endif
#ifdef M_FORGET_WHATEVER_IS_HELD
#define IS_FOR_HOLD true
#else
#define IS_FOR_HOLD isSame
#endif
#ifdef M_LEAVE_WHILE_LISTING
#define MAY_LEAVE (RECORD == 0 && !isLeaving)
#else
#define MAY_LEAVE (RECORD == 0 && !isLeaving && !isListing)
#endif
#ifdef M_LEAVE_WHILE_HOLDING
#define MAY_END true
#define HAS_NONE true
#else
#define MAY_END (holding == 0)
#define HAS_NONE (RECORD == 0)
#endif

inline holdFirst(n) {
	atomic {
		if
		:: UID != 0 -> HOLD = true; isSame = false; u = UID
		:: UID == 0 && (uidName[0] == 0 || uidName[0] == COOLING(n)) -> claim(n, 1); isSame = false; u = 1
		:: UID == 0 && (uidName[1] == 0 || uidName[1] == COOLING(n)) -> claim(n, 2); isSame = false; u = 2
		:: true -> isRequested = false; holding--; goto again
		fi
	};
	atomic {
		if
		:: RECORD = u
		:: true
		fi;
		isRequested = false;
		holding--;
		goto again
	}
}

proctype task() {
	byte u, h;
again:
	atomic { u = 0 };
end:
	do
	:: atomic { RECORD != 0 && IS_UNUSED && !isForgotten -> isRequested = true; u = RECORD };             /* BEGIN */
		atomic { RUNS = u; isRequested = false; goto again }                                             /* END */
	:: atomic { RUNS != 0 -> RUNS = 0 }
	:: atomic { RECORD == 0 && IS_UNUSED && !isForgotten && !isLeaving -> isRequested = true; holding++ }; holdFirst(0)

	:: atomic { RECORD != 0 && IS_UNUSED && !isForgotten };                                              /* it looks for directories */
		atomic {
			if
			:: RECORD != 0 && !isForgotten && MAY_FORGET -> isForgotten = true; isSame = true
			:: else -> goto again
			fi
		};
		atomic { RECORD = 0 };
		atomic {
			if
			:: IS_FOR_HOLD -> HOLD = false; isSame = false
			:: isSame -> isLate = true
			:: isSame = isSame && isLate                                                                 /* it is lost, or refused */
			fi;
			isForgotten = false;
			goto again
		}

	:: atomic { !isListing && !isLeaving -> isListing = true; listed = (HOLD -> UID : 0) };              /* LIST */
#ifndef M_TAKE_UP_BY_THE_LIST
		atomic {
			if
			:: listed != 0 && !isForgotten && RECORD == 0 -> isTakenUp = true
			:: else -> listed = 0
			fi
		};
		atomic {
			if
			:: listed != 0 && UID == listed -> HOLD = true; isSame = false                               /* Fleet.holdAgain */
			:: else -> listed = 0
			fi
		};
#endif
		atomic {
			if
			:: listed != 0 && RECORD == 0 -> RECORD = listed                                             /* TAKE_UP */
			:: else
			fi;
			listed = 0;
			isTakenUp = false;
			isListing = false;
			goto again
		}

	:: atomic { MAY_LEAVE -> isLeaving = true };
		atomic {
			MAY_END ->
			if
			:: HAS_NONE -> HOLD = false; isLate = false; isSame = false                                  /* LEAVE */
			:: !HAS_NONE
			fi;
			isLeaving = false;
			goto again
		}
	od
}
proctype network() {
end:
	do
	:: d_step { isLate && IS_FOR_HOLD -> HOLD = false; isLate = false; isSame = false }                  /* LATE */
	:: d_step { isLate && !IS_FOR_HOLD -> isLate = false }
	od
}
#endif

#ifdef M_COLLECT_WHAT_HAS_FILES
#define HAS_FILES(n) false
#else
#define HAS_FILES(n) (directory == n + 1)
#endif
#ifdef M_COLLECT_LATER
#define IS_HELD(n) false
#else
#define IS_HELD(n) (hold[AT(n, 0)] || hold[AT(n, 1)])
#endif
inline collect(n) {
	uidName[nameUid[n] - 1] = COOLING(n);
#ifdef M_LEASE_STAYS
	leased[nameUid[n] - 1] = true;
#endif
	nameUid[n] = 0
}
proctype collector() {
end:
	do
#ifdef M_COLLECT_LATER
	/* It has looked for holds before the transaction, in place of comparing in it. */
	:: atomic { nameUid[0] != 0 && !hold[0] && !hold[1] && !HAS_FILES(0) };
		d_step { nameUid[0] != 0 -> collect(0) }
#else
	:: d_step { nameUid[0] != 0 && !IS_HELD(0) && !HAS_FILES(0) -> collect(0) }                          /* COLLECT */
#endif
	:: d_step { nameUid[1] != 0 && !IS_HELD(1) && !HAS_FILES(1) -> collect(1) }
	od
}
proctype time() {
end:
	do
#ifdef M_LEASE_STAYS
	:: d_step { leased[0] -> uidName[0] = 0; leased[0] = false }
	:: d_step { leased[1] -> uidName[1] = 0; leased[1] = false }
#else
	:: d_step { uidName[0] >= COOLING(0) -> uidName[0] = 0 }                                             /* COOLED */
	:: d_step { uidName[1] >= COOLING(0) -> uidName[1] = 0 }
#endif
	od
}

#define POWER_ON(h) hasEnded[h] = false; isUp[h] = true
#define POWER_OFF(h) isUp[h] = false; hasLooked[h] = false; runs[AT(0, h)] = 0; runs[AT(1, h)] = 0
#ifdef WITH_BOOTS
proctype boots() {
end:
	do
	:: d_step { isUp[0] -> POWER_OFF(0) }
	:: d_step { hasEnded[0] && MAY_BOOT(0) -> POWER_ON(0) }
	:: d_step { isUp[1] -> POWER_OFF(1) }
	:: d_step { hasEnded[1] -> POWER_ON(1) }
	od
}
#endif

#ifdef WITH_FENCING
proctype operator() {
#ifndef M_FENCE_WHAT_RUNS
	d_step { isKeptOff = true; POWER_OFF(0) };
#endif
	inc[0] = 0;                                                                                          /* FENCE */
	if
	:: d_step { inc[0] == 0 -> hold[AT(0, 0)] = false; hold[AT(1, 0)] = false }
	:: inc[0] != 0                                                                                       /* it has returned */
	fi;
#ifdef WITH_BACKUP
	d_step {
		if
		:: !IS_WHOLE -> hasPut[0] = true                                                                 /* the operator vouches for it */
		:: else
		fi
	};
#endif
	isKeptOff = false;
#ifdef M_FENCE_WHAT_RUNS
	skip
#else
	if
	:: d_step { hasEnded[0] -> POWER_ON(0) }
	:: isUp[0]                                                                                           /* somebody has switched it on */
	fi
#endif
}
#endif

#ifdef WITH_BACKUP
proctype backup() {
	d_step {                                                                                             /* SAVE */
		oldNameUid[0] = nameUid[0]; oldNameUid[1] = nameUid[1]; oldUidName[0] = uidName[0]; oldUidName[1] = uidName[1];
		oldHold[0] = hold[0]; oldHold[1] = hold[1]; oldHold[2] = hold[2]; oldHold[3] = hold[3]; oldInc[0] = inc[0]; oldInc[1] = inc[1]
	};
	d_step {                                                                                             /* RESTORE */
		nameUid[0] = oldNameUid[0]; nameUid[1] = oldNameUid[1]; uidName[0] = oldUidName[0]; uidName[1] = oldUidName[1];
		hold[0] = oldHold[0]; hold[1] = oldHold[1]; hold[2] = oldHold[2]; hold[3] = oldHold[3]; inc[0] = oldInc[0]; inc[1] = oldInc[1];
		oldNameUid[0] = 0; oldNameUid[1] = 0; oldUidName[0] = 0; oldUidName[1] = 0;
		oldHold[0] = false; oldHold[1] = false; oldHold[2] = false; oldHold[3] = false; oldInc[0] = 0; oldInc[1] = 0;
		cluster = 2
	};
#ifdef M_RESUME_EARLY
	confirmed = cluster
#else
	d_step { hasPut[0] && hasPut[1] -> confirmed = cluster; hasPut[0] = false; hasPut[1] = false }       /* RESUME */
#endif
}
#endif

init {
	atomic {
		inc[0] = 1; mine[0] = 1; inc[1] = 1; mine[1] = 1; isUp[0] = true; isUp[1] = true; hasLooked[0] = true; hasLooked[1] = true;
#ifdef WITH_BACKUP
		cluster = 1; confirmed = 1; seen[0] = 1; seen[1] = 1;
#endif
#ifdef WITH_TASKS
		run task(); run task(); run network();
#else
		run host(0);
#endif
		run host(1); run collector(); run time();
#ifdef WITH_BOOTS
		run boots();
#endif
#ifdef WITH_FENCING
		run operator();
#endif
#ifdef WITH_BACKUP
		run backup();
#endif
	}
}

ltl safe { [] (OWN_UID && OWN_FILES) }
