/*
 * The allocation and lock protocol: dynuserd and systemd share /run/systemd/dynamic-uid and /etc/.pwd.lock. Two names, two UIDs. dynuserd
 * may be killed at every step, and is started again; processes outlive their service. `npm run test:stress -- stress/model` searches every state.
 *
 * | step of the model      | step of the code                                                                               |
 * | ---------------------- | ---------------------------------------------------------------------------------------------- |
 * | INTEND, FORGET         | Registry.intend, forget: leases/<uid>.new (src/allocator/held-uid.ts)                            |
 * | OPEN, FLOCK, RECHECK   | SystemdUidLocks.lock: open(2), flock(2), and the file must still have its name after that       |
 * | PWD                    | AccountsLock.take: /etc/.pwd.lock, from the questions until the user resolves                   |
 * | PROBE                  | NameLookup.check: whether the name is systemd's; whether the UID has an account or a process    |
 * | PUBLISH, COMMIT        | Registry.publish, commit: both links, then the lease                                            |
 * | STORE                  | UidLocks.keep: the service manager or the keeper has the descriptor before there is a lease    |
 * | REVOKE, UNPUBLISH      | Teardown.begin: leases/<uid>.end, then no links                                                 |
 * | REAP                   | Teardown.#reap: processes are killed, objects are removed                                       |
 * | UNLINK, UNSTORE, CLOSE | SystemdUidLocks.release: the name goes while the lock is held                                   |
 * | ERASE                  | Registry.erase: leases/<uid>.end is removed                                                     |
 * | ADOPT, RELOCK, LOST    | UidLocks.relock: the stored lock, the old file with our name locked anew, or a lost lease       |
 * | SWEEP, SETTLE          | recover: the lock files of intents go, then the links are those of the users that live          |
 *
 * An inode of the lock file is a slot. Its lock belongs to an open file description: that of the daemon lives on while the store has a
 * duplicate. UIDs are alike, and so are names: so everybody else meets the first ones alone, UID 0 and name 0, and the lock file is that of
 * UID 0; UID 1 is there to be given to a name a second time. Each M_… leaves out a step or exchanges two, and the search has to find the
 * harm.
 *
 * WITH_STRANGER: another program locks the file of a UID, and unlinks it or not; dynuserd has one name then, since that is about UIDs alone. WITH_USERADD: useradd(8) makes an account. WITH_LOSS:
 * the store may lose what it keeps, since somebody kills the keeper: a UID can become somebody else's then, and what still has to hold is
 * that nothing is ended for it, and that its lease is not published any more.
 */
#define NOBODY 0
#define DYNUSERD 1
#define SYSTEMD 2
#define STRANGER 3
#define SLOTS 5
#define HELD(u) (lease[u] != 0 || ending[u] != 0)

/* The file system. Where 0 means none, a name is n + 1 and a UID is u + 1. */
byte path;                  /* the slot that the name of the lock file leads to */
bool isOurs;                /* whether that file holds the name of a user of dynuserd */
byte lockOf[6];             /* who has the lock of a slot */
byte pwdLock;               /* who has /etc/.pwd.lock */
byte intent[2];             /* leases/<uid>.new */
byte lease[2];              /* leases/<uid> */
byte ending[2];             /* leases/<uid>.end */
byte byUid[2], byName[2];   /* the links */

/* Descriptors: the slot that is open. */
byte dynuserdFile, store, systemdFile, strangerFile;

/* The host: what there is with UID 0. While a user lives it may have processes; these are those that are left. */
bool systemdUser;           /* systemd gave it to name 0 */
bool process, systemdProcess, account;

/* The memory of dynuserd. */
bool up, ready;
byte busy;                  /* its tasks that have not noticed yet that it was killed */
byte pwdUsers;              /* its requests that share /etc/.pwd.lock */
bool trying[2];             /* Reservations */
bool mine;                  /* SystemdUidLocks.#held */
bool lost;                  /* the lease of UID 0, live or ending, is lost */
hidden byte slot;

#define UID_HAS_ONE_NAME !(lease[0] != 0 && (systemdUser || account))
#define NAME_HAS_ONE_UID !(lease[0] != 0 && lease[0] == lease[1]) && !(lease[1] == 1 && systemdUser)
#define LINK_IS_TRUE !(up && ready && byUid[0] != 0 && systemdUser)
#ifdef M_PUBLISH_WHAT_IS_LOST
#define IS_PUBLISHED true
#else
#define IS_PUBLISHED !lost
#endif

inline openOrMake(file) {
	d_step {
		if
		:: path != 0
		:: else ->
			slot = 1;
			do
			:: slot == dynuserdFile || slot == store || slot == systemdFile || slot == strangerFile -> slot++
			:: else -> break
			od;
			assert(slot <= SLOTS);
			path = slot; lockOf[slot] = NOBODY; isOurs = false
		fi;
		file = path; slot = 0
	}
}

/* close(2): the lock goes with the last descriptor of its open file description. */
inline closeOurs() {
	if
	:: dynuserdFile != 0 && lockOf[dynuserdFile] == DYNUSERD && store != dynuserdFile ->
		lockOf[dynuserdFile] = NOBODY
	:: else
	fi;
	dynuserdFile = 0; mine = false
}
inline dropStored() {
	if
	:: store != 0 && store != dynuserdFile && lockOf[store] == DYNUSERD -> lockOf[store] = NOBODY
	:: else
	fi;
	store = 0
}
inline closeOthers(file, who) {
	if
	:: lockOf[file] == who -> lockOf[file] = NOBODY
	:: else
	fi;
	file = 0
}

/* SystemdUidLocks.lock: sets mine. A file that lost its name is given up: to try again is to try later. */
inline flockOurs() {
	if
	:: d_step { lockOf[dynuserdFile] != NOBODY -> closeOurs() }                      /* FLOCK: taken */
	:: d_step { lockOf[dynuserdFile] == NOBODY -> lockOf[dynuserdFile] = DYNUSERD };
#ifdef M_NO_RECHECK
		mine = true
#else
		d_step {                                                                                 /* RECHECK */
			if
			:: dynuserdFile == path -> mine = true
			:: else -> closeOurs()
			fi
		}
#endif
	fi
}
inline unlockOurs() {
#ifdef M_CLOSE_BEFORE_UNLINK
	d_step { dropStored(); closeOurs() };
	d_step { path = 0; isOurs = false }
#else
	d_step {                                                                                     /* UNLINK */
		if
		:: path == dynuserdFile -> path = 0; isOurs = false
		:: else
		fi
	};
	d_step { dropStored() };                                                                    /* UNSTORE */
	d_step { closeOurs() }                                                                      /* CLOSE */
#endif
}

inline leavePwdLock() {
	d_step {
		if
		:: hasPwdLock ->
			hasPwdLock = false; pwdUsers--;
			if
			:: pwdUsers == 0 -> pwdLock = NOBODY
			:: else
			fi
		:: else
		fi
	}
}
#define NAME_IS_KNOWN (n == 0 && systemdUser)
#define UNUSABLE (NAME_IS_KNOWN || (u == 0 && (account || process || systemdProcess)))
#define LIVES_AT(u) (lease[u] == n + 1 && !(u == 0 && lost))
#define LIVES (LIVES_AT(0) || LIVES_AT(1))
#define IS_FREE(u) (!trying[u] && !HELD(u))

/* dynuserd: the requests for one name, which come one after the other (KeyedQueue). */
proctype requests(byte n) {
	byte u; bool hasPwdLock;
end:
	do
	:: atomic { up && ready && LIVES_AT(0) -> busy++; u = 0 }; goto release
	:: atomic { up && ready && LIVES_AT(1) -> busy++; u = 1 }; goto release
	:: atomic { up && ready && !LIVES && IS_FREE(0) -> busy++; u = 0; trying[0] = true }; goto acquire
	:: atomic { up && ready && !LIVES && IS_FREE(1) -> busy++; u = 1; trying[1] = true };
acquire:
		{
			intent[u] = n + 1;                                                                          /* INTEND */
#ifdef M_PROBE_BEFORE_LOCK
			if
			:: UNUSABLE -> goto undo
			:: !UNUSABLE
			fi;
#endif
			if
			:: u == 1
			:: u == 0 ->
				openOrMake(dynuserdFile);                                                               /* OPEN */
				flockOurs();
				if
				:: !mine -> goto undo
				:: mine -> isOurs = true
				fi
			fi;
#ifndef M_NO_PWD_LOCK
			if
			:: d_step { pwdLock == NOBODY || pwdLock == DYNUSERD -> pwdLock = DYNUSERD; pwdUsers++; hasPwdLock = true }   /* PWD */
			:: pwdLock == SYSTEMD || pwdLock == STRANGER -> goto undo
			fi;
#endif
#ifndef M_PROBE_BEFORE_LOCK
			if
			:: UNUSABLE -> goto undo                                                                    /* PROBE */
			:: !UNUSABLE
			fi;
#endif
#ifdef M_PWD_UNLOCK_BEFORE_PUBLISH
			leavePwdLock();
#endif
			d_step { byUid[u] = n + 1; byName[n] = u + 1 };                                             /* PUBLISH */
			/* Directories take their time: without /etc/.pwd.lock, since the user resolves. They may fail. */
			leavePwdLock();
			if
			:: true
			:: d_step { byUid[u] = 0; byName[n] = 0 }; goto undo
			fi;
#if !defined(M_STORE_AFTER_COMMIT) && !defined(M_NO_STORE)
			if
			:: u == 0 -> store = dynuserdFile                                                           /* STORE */
			:: u == 1
			fi;
#endif
			d_step { lease[u] = n + 1; intent[u] = 0 };                                                 /* COMMIT */
#ifdef M_STORE_AFTER_COMMIT
			if
			:: u == 0 -> store = dynuserdFile
			:: u == 1
			fi;
#endif
			goto tried;
undo:		/* What failed takes back its own steps. */
			leavePwdLock();
			if
			:: u == 0 && mine -> unlockOurs()
			:: u == 1 || !mine
			fi;
			intent[u] = 0;                                                                              /* FORGET */
tried:		atomic { trying[u] = false; busy--; u = 0 };
			goto end;
release:
			atomic { ending[u] = n + 1; lease[u] = 0 };                                                 /* REVOKE */
			d_step { byName[n] = 0; byUid[u] = 0; busy--; u = 0 }                                       /* UNPUBLISH */
		} unless { d_step { !up -> busy--; u = 0; hasPwdLock = false } }
	od
}

#ifdef M_END_WHAT_IS_LOST
#define IS_GIVEN_UP false
#else
#define IS_GIVEN_UP lost
#endif

/* dynuserd: the ends of users. */
proctype teardowns() {
end:
	do
	:: d_step { up && ready && ending[1] != 0 && byUid[1] == 0 -> ending[1] = 0 }
	:: d_step { up && ready && ending[0] != 0 && byUid[0] == 0 && !IS_GIVEN_UP -> busy++ };
		{
#ifdef M_UNLOCK_BEFORE_REAP
			unlockOurs();
#endif
			assert(!systemdProcess && !systemdUser);                                                    /* REAP */
#ifndef M_UNLOCK_BEFORE_REAP
			unlockOurs();
#endif
			d_step { ending[0] = 0; busy-- }                                                            /* ERASE */
		} unless { d_step { !up -> busy-- } }
#ifdef WITH_LOSS
	/* A lost lease is released: nothing is done, and its processes stay for a while. */
	:: d_step { up && ready && lost && HELD(0) -> lease[0] = 0; ending[0] = 0; lost = false; process = true }
	:: d_step { process -> process = false }
#endif
	:: d_step { systemdProcess -> systemdProcess = false }
	od
}

/* recover, where UID 0 has a lease: its processes may run. */
inline lockAgain() {
	if
#ifdef M_STORED_NOT_CHECKED
	:: d_step { store != 0 -> dynuserdFile = store; mine = true }
	:: store == 0 ->
#else
	:: d_step { store != 0 && store == path -> dynuserdFile = store; mine = true }                      /* ADOPT */
	:: d_step { store == 0 || store != path -> dropStored() };
#endif
#ifdef M_RELOCK_NEW_FILE
		openOrMake(dynuserdFile);
		flockOurs();
#else
		if
		:: path == 0
		:: d_step { path != 0 -> dynuserdFile = path };
			flockOurs();
			d_step {
				if
				:: mine && !isOurs -> closeOurs()
				:: else                                                                                 /* RELOCK */
				fi
			}
		fi;
#endif
		if
		:: !mine -> lost = true                                                                         /* LOST */
#ifdef M_NO_STORE
		:: mine
#else
		:: mine -> store = dynuserdFile
#endif
		fi
	fi
}
/* recover, where it has none. */
inline sweep() {
#ifdef M_SWEEP_WITHOUT_LOCK
	d_step { dropStored(); path = 0; isOurs = false }
#else
	if
	:: d_step { store != 0 && store == path -> dynuserdFile = store; mine = true }
	:: d_step { store == 0 || store != path -> dropStored() };
		if
		:: path == 0
		:: d_step { path != 0 -> dynuserdFile = path };
			flockOurs()
		fi
	fi;
	if
	:: mine -> unlockOurs()
	:: !mine
	fi
#endif
}

/* The start of dynuserd, after a stop or a kill: SIGKILL closes its descriptors and takes its memory, and all else stays. */
proctype starts() {
end:
	do
	:: d_step { !up && busy == 0 -> up = true; busy++ };
		{
			if
			:: HELD(0) -> lockAgain()
			:: !HELD(0) && (intent[0] != 0 || store != 0) -> sweep()                                    /* SWEEP */
			:: !HELD(0) && intent[0] == 0 && store == 0
			fi;
			d_step {                                                                                    /* SETTLE */
				byName[0] = 0; byName[1] = 0; byUid[0] = 0; byUid[1] = 0; intent[0] = 0; intent[1] = 0;
				if
				:: lease[0] != 0 && IS_PUBLISHED -> byUid[0] = lease[0]; byName[lease[0] - 1] = 1
				:: else
				fi;
				if
				:: lease[1] != 0 -> byUid[1] = lease[1]; byName[lease[1] - 1] = 2
				:: else
				fi;
				ready = true; busy--
			}
		} unless { d_step { !up -> busy-- } }
	od
}
proctype kills() {
end:
	do
	:: d_step { up ->
			up = false; ready = false; trying[0] = false; trying[1] = false; lost = false;
			closeOurs();
			if
			:: pwdLock == DYNUSERD -> pwdLock = NOBODY; pwdUsers = 0
			:: else
			fi
		}
#ifdef WITH_LOSS
	:: d_step { store != 0 -> dropStored() }
#endif
	od
}

/* systemd: a unit with DynamicUser=, of name 0. Its UID is the lock file's; whether NSS tells it of a link does not matter for that. */
proctype systemd() {
end:
	do
	:: atomic { pwdLock == NOBODY && byName[0] == 0 -> pwdLock = SYSTEMD };
again:	skip;
		openOrMake(systemdFile);
		if
		:: d_step { lockOf[systemdFile] != NOBODY -> systemdFile = 0; pwdLock = NOBODY }; goto end
		:: d_step { lockOf[systemdFile] == NOBODY -> lockOf[systemdFile] = SYSTEMD }
		fi;
		if
		:: d_step { systemdFile != path -> closeOthers(systemdFile, SYSTEMD) }; goto again
		:: d_step { systemdFile == path -> isOurs = false }
		fi;
		if
		:: byUid[0] != 0 || account
		:: d_step { !account -> systemdUser = true; pwdLock = NOBODY };
			if
			:: systemdUser = false
			:: d_step { systemdUser = false; systemdProcess = true }
			fi
		fi;
		d_step { path = 0; isOurs = false };
		d_step {
			closeOthers(systemdFile, SYSTEMD);
			if
			:: pwdLock == SYSTEMD -> pwdLock = NOBODY
			:: else
			fi
		}
	od
}

#ifdef WITH_STRANGER
/* Once in all: that it comes again is a matter of time alone. */
proctype stranger() {
	openOrMake(strangerFile);
	if
	:: d_step { lockOf[strangerFile] == NOBODY -> lockOf[strangerFile] = STRANGER };
		if
		:: d_step { path == strangerFile -> path = 0; isOurs = false }
		:: true
		fi
	:: lockOf[strangerFile] != NOBODY
	fi;
	d_step { closeOthers(strangerFile, STRANGER) }
}
#endif

#ifdef WITH_USERADD
/* It asks NSS, and nobody's locks. */
proctype useradd() {
	d_step { pwdLock == NOBODY -> pwdLock = STRANGER };
	if
	:: d_step { byUid[0] == 0 && !systemdUser -> account = true }
	:: byUid[0] != 0 || systemdUser
	fi;
	pwdLock = NOBODY
}
#endif

init {
	atomic {
#ifndef WITH_STRANGER
		run requests(0);
#endif
		run requests(1); run teardowns(); run starts(); run kills(); run systemd();
#ifdef WITH_STRANGER
		run stranger();
#endif
#ifdef WITH_USERADD
		run useradd();
#endif
	}
}

#ifdef WITH_LOSS
ltl safe { [] (LINK_IS_TRUE && !(up && ready && lease[0] != 0 && !lost && systemdUser)) }
#else
ltl safe { [] (UID_HAS_ONE_NAME && NAME_HAS_ONE_UID) }
#endif
