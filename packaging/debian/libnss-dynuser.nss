# Before systemd's module, if it is there: what the daemon publishes is read without asking anybody.
passwd  after=files dynuser
group   after=files dynuser
shadow  after=files dynuser
gshadow after=files dynuser
